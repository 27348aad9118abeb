"""The one admin site of the house: our frame on Django's own admin, and only the addresses declared here."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_POST, require_safe

from flowlet.backoffice import access, cards, doing, search
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.frame import THEME_COOKIE, THEMES, page, safe_next
from flowlet.backoffice.navigation import NAVIGATION, Item
from flowlet.backoffice.people import person_of
from flowlet.core.registry import Registry

Answer = Callable[..., HttpResponse | StreamingHttpResponse]
Admin = TypeVar("Admin", bound=type[ModelAdmin])

THEME_COOKIE_AGE = 365 * 24 * 3600


class Page:
    """A page that belongs to no model: its address below /admin/, its view, its permission."""

    def __init__(self, route: str, view: Answer, name: str, permission: str) -> None:
        self.route, self.name, self.permission = route, name, permission
        self.view = view

    def __call__(self, request: HttpRequest, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
        """
        Answer the page.

        :raises PermissionDenied: if the person may not see it
        """
        if not person_of(request).may(self.permission):
            raise PermissionDenied
        return self.view(request, **kwargs)


PAGES: Registry[Page] = Registry("backoffice.pages")


class FlowletAdminSite(AdminSite):
    """Staff of the house only, own navigation, Today as its index, no stock page, no stock action."""

    site_title = site_header = "Flowlet"
    final_catch_all_view = True

    def __init__(self) -> None:
        super().__init__(name="admin")
        self._actions.clear()
        self._global_actions.clear()

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether this is a live log-in of a member of staff."""
        return access.still_in(request)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return every address of the back office; what is not here is not answered."""
        wrap = self.admin_view
        urls: list[URLResolver | URLPattern] = [
            path("", wrap(require_safe(cards.today)), name="index"),
            path("login/", access.LogIn.as_view(), name="login"),
            path("logout/", access.log_out, name="logout"),
            path("search/", wrap(require_safe(search.search)), name="search"),
            path("keys/", wrap(require_safe(keys)), name="keys"),
            path("theme/", wrap(set_theme), name="theme"),
            path("stay/", wrap(require_safe(stay)), name="stay"),
            path("do/<str:action>/<str:object_id>/", wrap(doing.Do.as_view()), name="do"),
        ]
        urls += [path(known.route, wrap(known), name=known.name) for known in PAGES.values()]
        urls += [path(f"{known.slug}/", include(known.get_urls())) for known in self.house_admins()]
        return [*urls, path("<path:rest>", wrap(nowhere))]

    def house_admins(self) -> list[ModelAdmin]:
        """Return the registered admins, all of them ours."""
        return [known for known in self._registry.values() if isinstance(known, ModelAdmin)]


site = FlowletAdminSite()


def register(model: type[Model]) -> Callable[[Admin], Admin]:
    """
    Return a class decorator that puts a ModelAdmin on the site and, unless `nav` is False, into the side bar.

    :raises TypeError: if the class is not built on our ModelAdmin
    """

    def store(admin_class: Admin) -> Admin:
        if not issubclass(admin_class, ModelAdmin):
            raise TypeError(f"{admin_class.__name__} must be built on flowlet.backoffice.admin.ModelAdmin")
        site.register(model, admin_class)
        known = site.get_model_admin(model)
        if isinstance(known, ModelAdmin) and known.nav:
            NAVIGATION.register(f"{known.opts.app_label}.{known.opts.model_name}")(
                Item(
                    title=known.plural,
                    url_name=known.list_name,
                    group=known.group,
                    icon=known.icon,
                    permission=known.required_permission(),
                    order=known.nav_order,
                    count=known.nav_rows,
                    count_text=known.nav_count_text,
                    bad=known.nav_bad,
                )
            )
        return admin_class

    return store


def register_page(
    *, route: str, name: str, permission: str, navigation: Item | None = None
) -> Callable[[Answer], Answer]:
    """Return a decorator that answers `/admin/<route>` with a view of one's own, under the URL name `admin:<name>`."""

    def store(view: Answer) -> Answer:
        PAGES.register(name)(Page(route, view, name, permission))
        if navigation is not None:
            NAVIGATION.register(name)(navigation)
        return view

    return store


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the colours in a cookie and go back to the page."""
    theme = request.POST.get("theme", "")
    response: HttpResponse = HttpResponseRedirect(safe_next(request.POST.get("next", "")))
    if request.headers.get("X-Part") == "theme":
        response = HttpResponse(status=204)
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE,
            theme,
            max_age=THEME_COOKIE_AGE,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
    return response


def keys(request: HttpRequest) -> HttpResponse:
    """Answer the list of keyboard shortcuts as a page."""
    return page(request, "backoffice/keys_page.html", title="Keyboard shortcuts")


def stay(request: HttpRequest) -> HttpResponse:
    """Answer nothing: that the request came is what keeps the log-in alive."""
    del request
    return HttpResponse(status=204)


def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """
    Say that there is no such page, to staff only; others are asked to log in first.

    :raises Http404: always
    """
    del request, rest
    raise Http404


NAVIGATION.register("today")(
    Item(title="Today", url_name="admin:index", group="Work", icon="layout-dashboard", order=1)
)
