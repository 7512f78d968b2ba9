"""Which licence holds for a repository, its folders and its files, and whether the settings allow it.

A text is a licence when nothing but that licence is in it (`texts.py` finds known texts, `leftover.py` judges what is
left), so that a condition that somebody added makes it `NOASSERTION`. Folders may have a licence of their own
(`folders.py`), and files may state one above their code (`headers.py`).
"""

from hrm_ray.collect.licenses.allowed import check_license, is_allowed, refusal
from hrm_ray.collect.licenses.clones import FolderLicenses, license_of
from hrm_ray.collect.licenses.expressions import UNKNOWN, joined
from hrm_ray.collect.licenses.files import licensed, own_license
from hrm_ray.collect.licenses.identify import identify

__all__ = [
    "UNKNOWN",
    "FolderLicenses",
    "check_license",
    "identify",
    "is_allowed",
    "joined",
    "license_of",
    "licensed",
    "own_license",
    "refusal",
]
