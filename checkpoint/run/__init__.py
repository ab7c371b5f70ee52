"""Running the steps that are not current: order, kernels, progress, workflow managers."""
