"""Who may ask a server, what for, and how much.

Signed tokens have a room of their own, ``access.tokens``, which loads their library when it is entered.
"""

from evidentsource_runtime.server.access.admission import Admission
from evidentsource_runtime.server.access.authentication import (
    Anonymous,
    Authenticator,
    DevHeaders,
    FirstOf,
    StaticTokens,
)
from evidentsource_runtime.server.access.binding import Tls, check_exposure, is_loopback
from evidentsource_runtime.server.access.errors import (
    AccessError,
    AccessSetupError,
    PermissionDenied,
    RateLimited,
    RequestTooLarge,
    TooManyStreams,
    Unauthenticated,
)
from evidentsource_runtime.server.access.limits import Limits, RateLimiter, StreamCounter
from evidentsource_runtime.server.access.principals import (
    EVERYTHING,
    Grants,
    Principal,
    Role,
    parse_grants,
)

__all__ = [
    "EVERYTHING",
    "AccessError",
    "AccessSetupError",
    "Admission",
    "Anonymous",
    "Authenticator",
    "DevHeaders",
    "FirstOf",
    "Grants",
    "Limits",
    "PermissionDenied",
    "Principal",
    "RateLimited",
    "RateLimiter",
    "RequestTooLarge",
    "Role",
    "StaticTokens",
    "StreamCounter",
    "Tls",
    "TooManyStreams",
    "Unauthenticated",
    "check_exposure",
    "is_loopback",
    "parse_grants",
]
