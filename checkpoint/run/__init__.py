"""Running steps that are not current: kernels, order, progress, workflow managers."""
