"""`python -m hrm_ray VERB` is the same as `hrm-ray VERB`."""

from hrm_ray.cli import main

main()
