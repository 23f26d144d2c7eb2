"""Kinds of sampler beside the kernels, one a file: the options of each, beside the law that it builds."""
