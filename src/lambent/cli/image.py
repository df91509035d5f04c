"""Verbs on container images: image build, image push, image ls."""

import argparse
from pathlib import Path
from typing import Any

from lambent.cli.flags import add_output, add_state, settings_of
from lambent.cli.printing import print_data, print_table


def register(verbs: Any) -> None:
    image = verbs.add_parser("image", help="build, push and list function images, without Docker")
    actions = image.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)

    build = actions.add_parser(
        "build",
        help="make an image of a folder of code",
        epilog="example: lambent image build ./app --handler app.handler -t my-image:1.0",
    )
    build.add_argument("directory", type=Path, help="the function's code; becomes /var/task")
    build.add_argument("--handler", required=True, help="module.function, the image's command")
    build.add_argument("-t", "--tag", required=True, metavar="NAME:TAG", help="name and tag in the registry")
    build.add_argument("--endpoint-url", metavar="URL", help="registry to push to instead of the running platform's")
    build.add_argument(
        "-o",
        "--output",
        type=_output,
        default="text",
        metavar="FILE.tar|json|yaml|text",
        help="write an OCI archive instead of pushing; or how the answer is printed",
    )
    add_state(build)
    build.set_defaults(run=run_build)

    push = actions.add_parser("push", help="push an OCI archive", epilog="example: lambent image push image.tar -t a:1")
    push.add_argument("archive", type=Path)
    push.add_argument("-t", "--tag", required=True, metavar="NAME:TAG")
    push.add_argument("--endpoint-url", metavar="URL", help="registry to push to instead of the running platform's")
    add_output(push)
    add_state(push)
    push.set_defaults(run=run_push)

    ls = actions.add_parser("ls", help="images in the running platform's registry")
    ls.add_argument("--endpoint-url", metavar="URL", help="registry to ask instead of the running platform's")
    add_output(ls)
    add_state(ls)
    ls.set_defaults(run=run_ls)


def _output(text: str) -> str:
    if text in ("json", "yaml", "text") or text.endswith(".tar"):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither json, yaml, text nor a file that ends in .tar")


def _registry(args: argparse.Namespace) -> str:
    from lambent.platform.discovery import require_running

    state = settings_of(args, ignore_aws_environment=True).state
    return str(args.endpoint_url or require_running(state).aws)


def run_build(args: argparse.Namespace) -> int:
    from lambent.platform import images
    from lambent.platform.daemon import run

    if args.output.endswith(".tar"):
        digest = images.build_archive(args.directory, handler=args.handler, tag=args.tag, file=Path(args.output))
    else:
        registry = _registry(args)
        digest = run(
            lambda: images.build_and_push(args.directory, handler=args.handler, tag=args.tag, registry=registry)
        )
    return _tell(args, digest)


def run_push(args: argparse.Namespace) -> int:
    from lambent.platform import images
    from lambent.platform.daemon import run

    registry = _registry(args)
    return _tell(args, run(lambda: images.push_archive(args.archive, tag=args.tag, registry=registry)))


def _tell(args: argparse.Namespace, digest: str) -> int:
    if args.output in ("json", "yaml"):
        print_data({"tag": args.tag, "digest": digest}, args.output)
    else:
        print(f"{args.tag} {digest}")
    return 0


def run_ls(args: argparse.Namespace) -> int:
    from lambent.platform import images
    from lambent.platform.daemon import run

    registry = _registry(args)
    rows = run(lambda: images.list_images(registry))
    if args.output != "text":
        print_data([{"name": name, "tag": tag, "digest": digest} for name, tag, digest in rows], args.output)
    else:
        print_table(("NAME", "TAG", "DIGEST"), rows)
    return 0
