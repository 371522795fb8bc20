"""The mappings of a user namespace that config.json says nothing about."""

from __future__ import annotations

import json

import pytest

from slinger.spec.default_maps import Range, every_own_id, id_and_subordinates, subordinates, with_maps
from slinger.spec.parse import parse_config
from slinger.spec.values import lacks_maps
from tests.bundles import Json, base_config, changed

ONE: Json = [{"containerID": 0, "hostID": 7, "size": 1}]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"linux.namespaces": [{"type": "user"}]}, True),
        ({"linux.namespaces": [{"type": "user", "path": "/proc/1/ns/user"}]}, False),
        ({"linux.namespaces": [{"type": "pid"}]}, False),
        ({"linux.namespaces": [{"type": "user"}], "linux.uidMappings": ONE, "linux.gidMappings": ONE}, False),
        ({"linux.namespaces": [{"type": "user"}], "linux.gidMappings": ONE}, False),
    ],
)
def test_only_a_new_user_namespace_without_a_word_of_ids_lacks_maps(
    changes: dict[str, Json], *, expected: bool
) -> None:
    """One list alone is a mistake, which stays an error."""
    config, _ = parse_config(json.dumps(changed(base_config(), changes)).encode())
    assert lacks_maps(config.linux) is expected


def test_each_id_of_ours_is_mapped_to_itself() -> None:
    """In a user namespace of our own too, whose ids are not the host's."""
    assert every_own_id("         0          0 4294967295\n") == (Range(0, 0, 4294967295),)
    assert every_own_id("0 1000 1\n1 100000 65536\n") == (Range(0, 0, 1), Range(1, 1, 65536))


def test_who_asks_is_root_and_subordinate_ids_follow() -> None:
    """Without a hole, in the order of the file."""
    assert id_and_subordinates(1000, ()) == (Range(0, 1000, 1),)
    expected = (Range(0, 1000, 1), Range(1, 100000, 10), Range(11, 500000, 5))
    assert id_and_subordinates(1000, ((100000, 10), (500000, 5))) == expected


def test_subordinate_ids_are_those_of_the_name_or_the_number() -> None:
    """Lines of others and lines that are none do not count."""
    text = "plain:100:10\nother:300:10\n# plain:1:1\nplain:x:1\nplain:1\n1000:200:5\nplain:7:0\nplain:٣:1\n\n"
    assert subordinates(text, ("plain", "1000")) == ((100, 10), (200, 5))


def test_mappings_are_put_into_the_text_and_the_rest_stays() -> None:
    """What is read back is the configuration with them."""
    config = changed(base_config(), {"linux.namespaces": [{"type": "user"}], "annotations": {"a": "ü"}})
    told = json.loads(with_maps(json.dumps(config).encode(), (Range(0, 5, 1),), (Range(0, 6, 2),)))
    assert told["linux"].pop("uidMappings") == [{"containerID": 0, "hostID": 5, "size": 1}]
    assert told["linux"].pop("gidMappings") == [{"containerID": 0, "hostID": 6, "size": 2}]
    assert told == json.loads(json.dumps(config))
