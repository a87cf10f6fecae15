"""`manage.py check_translations`: what the translations lack."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from config.translations.checking import find_problems


class Command(BaseCommand):
    """Print every problem, one on each line; exit 1 when there is any."""

    help = _("Check that every text is translated into every language.")

    def handle(self, **options: Any) -> None:
        """Check every language but the one in which the code is written."""
        languages = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        problems = find_problems(settings.BASE_DIR, languages)
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            raise CommandError(_("%(count)d problems in the translations.") % {"count": len(problems)})
