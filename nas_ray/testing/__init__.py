"""Contract tests for plug-ins: what every proxy, searcher, space, benchmark and task must do, for pytest.

Three lines are a test file of one's own::

    from mine import active_share
    from nas_ray.testing import proxy_contract

    TestActiveShare = proxy_contract(active_share)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
