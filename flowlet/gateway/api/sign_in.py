"""Tokens for a partner's people: sign-in, refresh with rotation, revocation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.response import Response

from flowlet.audit import trail
from flowlet.core.clock import now
from flowlet.core.crypto import keyed_digest
from flowlet.gateway import families, limits, tokens
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.errors import SignInFailed, Unavailable
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.principals import USER_SCOPES
from flowlet.gateway.serializers import StrictSerializer
from flowlet.gateway.views import ANYONE, ApiRequest, ApiView
from flowlet.identity.models import Partner, User
from flowlet.identity.policies import normal_login
