from .benchmarks import BenchmarkContract as BenchmarkContract
from .benchmarks import benchmark_contract as benchmark_contract
from .proxies import ProxyContract as ProxyContract
from .proxies import proxy_contract as proxy_contract
from .searchers import SearcherContract as SearcherContract
from .searchers import searcher_contract as searcher_contract
from .spaces import SpaceContract as SpaceContract
from .spaces import space_contract as space_contract
