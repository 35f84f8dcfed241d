"""Clean pasted credentials, and reject those that cannot be sent.

People copy keys from web pages, mails and terminals, often with spaces, line breaks, invisible
characters, or the whole header of an example.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode

from connectors.definitions.schema import AuthType, Connector, CredentialField, Signing

#: Schemes that begin an ``Authorization`` header: those of IANA's registry (RFC 9110 section
#: 16.4.1), and those that services have made up.
_SCHEMES = re.compile(
    r"(?:api-?key|basic|bearer|digest|dpop|geniekey|hmac|jwt|key|negotiate|oauth|token)\s+", re.I
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: They join letters and emoji (Unicode section 23.2), so a password may hold them.
_JOINERS = "\u200c\u200d"


class NotACredential(ValueError):
    """The text is not a valid credential. The message says why, without the text."""


def cleaned(text: str, field: CredentialField, connector: Connector, auth_type: AuthType) -> str:
    """Return the cleaned value for a field of the credentials form.

    Raise :class:`NotACredential` if the text is ambiguous or cannot be sent.
    """
    if auth_type == "basic" and connector.basic:
        text = _user_or_password(text, field, connector.basic.signing)
    elif connector.api_key:
        text = _key(visible_ascii(text, field.label), field, connector.api_key.signing)
    if len(text) > field.max_length:
        raise NotACredential(
            f"{field.label} may have at most {field.max_length:,} characters; this has "
            f"{len(text):,}."
        )
    return text


def visible_ascii(text: str, label: str) -> str:
    """Clean a key, a client ID or a client secret.

    They consist of visible ASCII (RFC 6749 appendices A.1 and A.2, RFC 6750 section 2.1).
    """
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    if _CONTROLS.search(text):
        raise NotACredential(
            f"{label} contains a line break or another control character. Copy it again, in one "
            "line."
        )
    if not text.isascii():
        raise NotACredential(
            f"{label} contains a character that cannot be sent, such as a typographic dash, or the "
            "dots of a key that is shown in part. Copy the whole key again."
        )
    return text


def _key(text: str, field: CredentialField, signing: Signing) -> str:
    """Remove the text around the key in request examples; reject keys of another scheme."""
    if "{" + field.name + "}" not in signing.value + signing.basic_user + signing.basic_password:
        return text  # it is part of the URL, such as an account number
    if signing.query:
        text = re.sub(rf"^[?&]?{re.escape(signing.query)}=", "", text)
    else:
        header = re.escape(signing.header or "Authorization")
        text = re.sub(rf"^{header}\s*:\s*", "", text, flags=re.IGNORECASE)
    before, _, after = signing.value.partition("{" + field.name + "}")
    # Where several keys fill one header, an example of it holds more than this one.
    if "{" not in before + after:
        begins = re.escape(before.rstrip()) + (r"(?:\s+|$)" if before.endswith(" ") else "")
        begins = f"^{begins}"
        while before and (shorter := re.sub(begins, "", text, flags=re.IGNORECASE)) != text:
            text = shorter.removesuffix(after) if after else shorter
    whole_header = signing.value == "{" + field.name + "}" and signing.header == "Authorization"
    if not whole_header and (foreign := _SCHEMES.match(text)):
        raise NotACredential(
            f"{field.label} begins with “{foreign[0].strip()}”, which belongs to another kind of "
            "request. Enter the key without it."
        )
    if not whole_header and " " in text:
        raise NotACredential(f"{field.label} contains a space. Copy only the key.")
    return text


def _user_or_password(text: str, field: CredentialField, signing: Signing) -> str:
    """Clean both ends; the inside of a password is kept (RFC 7617, RFC 8265)."""
    text = _trimmed(text)
    if _CONTROLS.search(text) or any(
        unicodedata.category(c) == "Cf" and c not in _JOINERS for c in text
    ):
        raise NotACredential(
            f"{field.label} contains a line break or an invisible character. Copy it again, "
            "or type it."
        )
    if _is_whole_header(text):
        raise NotACredential(
            f"{field.label} contains a whole header with user name and password encoded "
            "together. Enter each of them in its own field, as plain text."
        )
    if ":" in text and "{" + field.name + "}" in signing.basic_user:
        raise NotACredential(
            f"{field.label} cannot contain a colon (RFC 7617). Check what you pasted."
        )
    return text


def _trimmed(text: str) -> str:
    """Remove spaces, line breaks and invisible characters at both ends."""
    around = "\ufeff\u200b\u2060\u00ad\u200e\u200f" + _JOINERS
    while (shorter := text.strip().strip(around)) != text:
        text = shorter
    return text


def _is_whole_header(text: str) -> bool:
    """Return whether the text is a whole ``Basic`` header (RFC 7617 section 2)."""
    found = re.fullmatch(r"(?:authorization\s*:\s*)?basic\s+([A-Za-z0-9+/]{4,}=*)", text, re.I)
    try:
        return found is not None and b":" in b64decode(found[1], validate=True)
    except ValueError:
        return False
