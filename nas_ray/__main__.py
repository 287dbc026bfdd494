"""Runs `nas-ray` as `python -m nas_ray`."""

from nas_ray.commands.start import main

if __name__ == "__main__":
    main()
