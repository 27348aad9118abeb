"""The ModelAdmin every list and object page of the house is built on: read-only, declared columns, filters, panels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst, slugify

from flowlet.backoffice import actions, lists
from flowlet.backoffice.filters import Filter
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, ListPlan, View
from flowlet.backoffice.navigation import Group
from flowlet.backoffice.panels import Panel, cells
from flowlet.backoffice.people import Person, person_of

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = admin.ModelAdmin


class ModelAdmin(_Base):
    """
    A list and an object page, read-only: adding, changing and deleting do not exist here, actions do the work.

    Declare `columns` and `list_order` (ending in a unique column); override `panels` for the object page. All
    else has a sensible default.
    """

    # --- place in the house
    path = ""  # below /admin/, such as "customers"; default from the plural name
    title = ""  # the plural, in the side bar and on the list
    summary = ""  # one line under the list's title
    group: Group = "Work"
    icon = "circle-dashed"
    nav = True
    nav_order = 50
    nav_count_text = "open"
    nav_bad = False
    view_permission = ""  # default: the model's own view permission

    # --- the list
    columns: Sequence[Column] = ()
    list_order: tuple[str, ...] = ("-pk",)
    views: Sequence[View] = ()
    filters: Sequence[Filter] = ()
    search_by: tuple[
        str, ...
    ] = ()  # look-ups such as "public_id", "name__icontains"; override `search_for` for more
    search_hint = "Search this list"
    related: tuple[str, ...] = ()  # select_related of the list and the object page
    compact = False
    list_template = "admin/change_list.html"
    empty = ("Nothing here yet", "")

    # --- the object page
    lookup = "public_id"
    detail = True
    detail_template = "admin/change_form.html"

    # --- permissions: looking only
    def required_permission(self) -> str:
        """Return the permission that shows list and objects."""
        meta = self.opts
        return self.view_permission or f"{meta.app_label}.view_{meta.model_name}"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether the person may look."""
        del obj
        return person_of(request).may(self.required_permission())

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell the same as `has_view_permission`."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows by a form."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits rows by a form."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows."""
        del request, obj
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001
        """
        Refuse: rows are written by operations only.

        :raises PermissionDenied: always
        """
        del request, obj, form, change
        raise PermissionDenied

    @property
    def media(self) -> Media:
        """No style sheet and no script of the stock admin."""
        return Media()

    # --- addresses
    @property
    def slug(self) -> str:
        """Return the part of the address below /admin/."""
        return self.path or slugify(str(self.opts.verbose_name_plural))

    @property
    def plural(self) -> str:
        """Return the title of the list."""
        return self.title or capfirst(str(self.opts.verbose_name_plural))

    @property
    def list_name(self) -> str:
        """Return the URL name of the list."""
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"

    def href(self, obj: Any) -> str:
        """Return the address of an object's page, or '' where objects have none."""
        if not self.detail:
            return ""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[getattr(obj, self.lookup)])

    def get_urls(self) -> list[URLPattern]:
        """Return the two addresses there are; stock add, delete, history and lookups are not among them."""
        wrap = self.admin_site.admin_view
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        urls = [path("", wrap(self.changelist_view), name=f"{name}_changelist")]
        if self.detail:
            urls.append(path("<str:object_id>/", wrap(self.object_view), name=f"{name}_change"))
        return urls

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return the rows whose number stands in the side bar, or None for no number."""
        del person
        return None

    # --- list
    def search_for(self, term: str) -> Q:
        """Return the rows the search field finds: any of `search_by`."""
        return Q(*((name, term) for name in self.search_by), _connector=Q.OR)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all rows the person may see."""
        del request
        queryset: QuerySet[Any] = self.model._default_manager.all()  # noqa: SLF001 - Django's documented model API
        return queryset.select_related(*self.related) if self.related else queryset

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """
        Answer the list.

        :raises PermissionDenied: if the person may not look
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        plan = ListPlan(
            columns=self.columns,
            order=self.list_order,
            views=self.views,
            filters=self.filters,
            search=self.search_for if self.search_by else None,
        )
        listed = lists.build(plan, self.get_queryset(request), request.GET.dict())
        return page(
            request,
            self.list_template,
            title=self.plural,
            path=[(self.group, "")],
            summary=self.summary,
            buttons=self.list_buttons(request),
            listed=listed,
            rows=[cells(self.columns, row, self.href(row)) for row in listed.rows],
            search_hint=self.search_hint,
            compact=self.compact,
            linked=self.detail,
            empty_title="Nothing matches" if listed.narrowed else self.empty[0],
            empty_text="Take a filter off or search for something else."
            if listed.narrowed
            else self.empty[1],
            empty_href=listed.clear_href if listed.narrowed else "",
            empty_step="Clear search and filters",
            **(extra_context or {}),
        )

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the buttons right of the list's title, such as exports."""
        del request
        return []

    # --- object page
    def find(self, request: HttpRequest, object_id: str) -> Any:
        """
        Return the object.

        :raises Http404: if it is absent, or not this person's to see
        """
        found = (
            None
            if "\0" in object_id
            else self.get_queryset(request).filter(**{self.lookup: object_id}).first()
        )
        if found is None:
            raise Http404
        return found

    def object_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Answer the page of one object.

        :raises PermissionDenied: if the person may not look
        :raises Http404: if there is no such object
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        obj, person = self.find(request, object_id), person_of(request)
        panels = self.panels(request, obj)
        return page(
            request,
            self.detail_template,
            title=self.object_title(obj),
            path=[(self.group, ""), (self.plural, reverse(self.list_name))],
            summary=self.object_summary(obj),
            badges=self.badges(obj),
            buttons=[*self.buttons(request, obj), *actions.buttons_for(person, obj, request.get_full_path())],
            obj=obj,
            panels=[panel for panel in panels if not panel.side],
            side_panels=[panel for panel in panels if panel.side],
            **self.more_context(request, obj),
        )

    def object_title(self, obj: Any) -> str:
        """Return the title of an object's page."""
        return str(obj)

    def object_summary(self, obj: Any) -> str:
        """Return the line under the title."""
        return str(getattr(obj, self.lookup))

    def badges(self, obj: Any) -> list[object]:
        """Return the badges beside the title."""
        del obj
        return []

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return buttons of the object's page besides its actions."""
        del request, obj
        return []

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the cards of the object's page, in order."""
        del request, obj
        return []

    def more_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return more context for a `detail_template` of its own."""
        del request, obj
        return {}
