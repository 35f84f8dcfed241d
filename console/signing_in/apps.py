from django.apps import AppConfig


class SigningInConfig(AppConfig):
    """How people prove who they are: passwords, second factors, guessing, the password again."""

    name = "console.signing_in"
    verbose_name = "Sign-in"
