"""What cheap estimates of archs say of longer trainings: scores, short trainings and mixtures of both."""
