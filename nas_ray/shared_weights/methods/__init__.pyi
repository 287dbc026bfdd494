from .method import PARTS as PARTS
from .method import Method as Method
from .named import METHODS as METHODS
from .named import SETTINGS as SETTINGS
from .named import parse_method as parse_method
from .search import OneShotSearch as OneShotSearch
