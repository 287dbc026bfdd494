from .batched import ADDITIVE as ADDITIVE
from .batched import BATCHED as BATCHED
from .batched import ONE_BY_ONE as ONE_BY_ONE
from .batched import BatchedProxy as BatchedProxy
