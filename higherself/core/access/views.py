"""The pages of logging in: code, set-up, password again, and one's own account."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from higherself.core.access import lockout, second_factor, sensitive
from higherself.core.access.forms import CodeForm, PasswordForm, minutes_locked
from higherself.core.addresses import client_address


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    return reverse("admin:index")


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    context = {**admin.site.each_context(request), "title": title, "next": _next(request), **context}
    return TemplateResponse(request, template, context)


def _signed_in(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def _to_login() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:login"))


@never_cache
@sensitive_post_parameters("code")
def second_factor_view(request: HttpRequest) -> HttpResponse:
    """Asks for the code after the password."""
    if not _signed_in(request):
        return _to_login()
    user: Any = request.user
    if not second_factor.is_enrolled(user):
        return HttpResponseRedirect(_next(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name, address = user.get_username(), client_address(request)
        seconds = lockout.seconds_locked(name, address)
        if seconds:
            form.add_error("code", minutes_locked(seconds))
        elif second_factor.check(user, form.cleaned_data["code"]):
            return _passed(request)
        else:
            # A code that is wrong counts like a password that is wrong.
            lockout.failed(name, address)
            form.add_error("code", _("This code is not right, or it was used already. Wait for the next one."))
    return _page(request, "access/code.html", _("Second factor"), form=form)


def _passed(request: HttpRequest) -> HttpResponse:
    request.session.cycle_key()
    request.session[second_factor.KEY] = second_factor.PASSED
    left = second_factor.codes_left(request.user)
    if left <= 2:
        messages.warning(request, _("Few recovery codes are left: make new ones on the page “Your account”."))
    return HttpResponseRedirect(_next(request))


@never_cache
@sensitive_post_parameters("code")
def setup_view(request: HttpRequest) -> HttpResponse:
    """Shows the QR code, takes a first code, then shows the recovery codes once."""
    if not _signed_in(request):
        return _to_login()
    state = request.session.get(second_factor.KEY)
    if second_factor.is_enrolled(request.user) and state != second_factor.PASSED:
        # Who cannot give the code must not replace it.
        return HttpResponseRedirect(reverse("admin:second_factor"))
    asked = sensitive.ask(request)
    if asked is not None:
        return asked
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.confirm(request.user, form.cleaned_data["code"], request.session.session_key)
        if codes is not None:
            request.session[second_factor.KEY] = second_factor.PASSED
            return _page(request, "access/codes.html", _("Recovery codes"), codes=codes)
        form.add_error("code", _("This code is not right. Check that the phone's clock is, and take the next one."))
    device = second_factor.begin(request.user)
    return _page(
        request,
        "access/setup.html",
        _("Set up the second factor"),
        form=form,
        picture=second_factor.picture(device),
        secret=second_factor.secret_text(device),
        required=second_factor.is_required(),
    )


@never_cache
@sensitive_post_parameters("password")
def confirm_view(request: HttpRequest) -> HttpResponse:
    """Asks for the password again before sensitive work."""
    user: Any = request.user
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = authenticate(request, username=user.get_username(), password=form.cleaned_data["password"])
        if found is not None and found.pk == user.pk:
            sensitive.note(request)
            return HttpResponseRedirect(_next(request))
        seconds = getattr(request, "locked_for", 0)
        form.refuse(minutes_locked(seconds) if seconds else _("This password is not right."))
    return _page(request, "access/confirm.html", _("Your password, please"), form=form)


@never_cache
def account_view(request: HttpRequest) -> HttpResponse:
    """One's own account: roles, password, second factor."""
    user: Any = request.user
    return _page(
        request,
        "access/account.html",
        _("Your account"),
        roles=sorted(user.groups.values_list("name", flat=True)),
        enrolled=second_factor.is_enrolled(user),
        left=second_factor.codes_left(user),
        required=second_factor.is_required(),
    )


@never_cache
@require_POST
def new_codes_view(request: HttpRequest) -> HttpResponse:
    asked = sensitive.ask(request, reverse("admin:account"))
    if asked is not None:
        return asked
    if not second_factor.is_enrolled(request.user):
        return HttpResponseRedirect(reverse("admin:account"))
    codes = second_factor.renew_codes(request.user)
    return _page(request, "access/codes.html", _("Recovery codes"), codes=codes)


@never_cache
@require_POST
def switch_off_view(request: HttpRequest) -> HttpResponse:
    account = reverse("admin:account")
    asked = sensitive.ask(request, account)
    if asked is not None:
        return asked
    if second_factor.is_required():
        messages.error(request, _("Staff must have a second factor here: set up a new one instead."))
    else:
        second_factor.remove(request.user, but_session=request.session.session_key)
        request.session[second_factor.KEY] = second_factor.NONE
        messages.success(request, _("The second factor is off. Your other sessions have ended."))
    return HttpResponseRedirect(account)
