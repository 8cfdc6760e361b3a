"""`python -m serving.gateway`: serves until interrupted, as the variables EVERLEARN_GATEWAY_… say."""

import sys

import uvicorn
from pydantic import ValidationError

from serving.gateway.app import create
from serving.gateway.settings import PREFIX, Settings


def main() -> int:
    try:
        settings = Settings.from_environment()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            print(f"{PREFIX}{name} is refused: {problem['msg']}", file=sys.stderr)
        return 1
    uvicorn.run(
        create(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxy),
        forwarded_allow_ips=settings.proxy or None,
        limit_concurrency=settings.connections,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
