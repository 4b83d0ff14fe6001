#!/usr/bin/env python3
"""The ruleset that is in force, one object a line: without handles and counts, in an order that depends on its
content alone. For comparing what ec2fs applied with what nft made of a file."""
import json
import subprocess


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("handle", "packets", "bytes")}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def lines(listing):
    rules = {}
    for item in listing["nftables"]:
        (kind, what), = plain(item).items()
        if kind == "metainfo":
            continue
        where = "%s %s" % (what["family"], what.get("table", ""))
        if kind == "rule":
            rules.setdefault("%s rules of %s" % (where, what["chain"]), []).append(json.dumps(what["expr"]))
            continue
        elements = what.pop("elem", [])
        yield "%s %s %s" % (where, kind, json.dumps(what, sort_keys=True))
        for e in elements:
            yield "%s in %s: %s" % (where, what["name"], json.dumps(e, sort_keys=True))
    for name, texts in rules.items():
        for n, text in enumerate(texts):
            yield "%s, %03d: %s" % (name, n, text)


out = subprocess.run(["nft", "-j", "list", "ruleset"], check=True, capture_output=True).stdout
print("\n".join(sorted(lines(json.loads(out)))))
