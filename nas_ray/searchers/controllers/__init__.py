"""Controllers: searchers that draw archs from a policy and learn it by policy gradients."""
