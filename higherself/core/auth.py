"""Who may call the API: a token with a scope, or a member of staff with a session."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from higherself.core import tokens
from higherself.core.models import ApiToken


class TokenUser:
    """The actor behind an API token."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False
    pk = None
    id = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def get_username(self) -> str:
        return f"token {self.token.name}"

    def __str__(self) -> str:
        return self.get_username()

    def has_scope(self, scope: str) -> bool:
        return not self.token.scopes or scope in self.token.scopes


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Token hsn_…`` (``Bearer`` is taken as well)."""

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() not in {b"token", b"bearer"}:
            return None
        found = tokens.find(parts[1].decode("latin-1")) if len(parts) == 2 else None
        if found is None:
            raise AuthenticationFailed(_("The token is unknown, expired or revoked."))
        return TokenUser(found), found

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class HasScope(BasePermission):
    """Asks the view's ``required_scope`` of a token; a session must belong to staff.

    ``required_scope`` is one scope, or a dictionary of them by HTTP method. A view that changes something also names
    the Django permission that a member of staff needs, in ``required_permission``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        if not (user and user.is_authenticated):
            return False
        scope = getattr(view, "required_scope", "")
        if isinstance(scope, dict):
            scope = scope.get(request.method, "")
        if isinstance(user, TokenUser):
            return bool(scope) and user.has_scope(scope)
        permission = getattr(view, "required_permission", "")
        if request.method in {"GET", "HEAD", "OPTIONS"} or not permission:
            return bool(user.is_staff)
        return bool(user.is_staff and user.has_perm(permission))
