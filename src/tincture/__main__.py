"""``python -m tincture``."""

from tincture.cli import main

main()
