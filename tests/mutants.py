"""Good records with something wrong in them, made by chance."""

from stream.records import Record, encode

GOOD = [
    encode(Record(id=17, ts=1700000000.25, x={"a": -0.5, "b": 3, "c": "é\n", "d": None}, y=1)),
    b'{"id": "17", "x": {"a": 1e-5, "b": true, "\\u00e9\\ud83d\\ude00": "\\"]}"}, "y": "UP"}',
    b'{"id": "17", "y": false}',
    b'{"id": 17, "forget": true}',
    b'{"command": "declare", "classes": [0, "1", true]}',
    b'{"mark": "drift", "at": 15000, "kind": "abrupt"}',
    b'{"x": {"a": 1}, "y": 1, "note": {"n": [NaN]}}'.replace(b"NaN", b"1.5E+3"),
    '{"x": {"größe": 1, "身長": 2.5}, "note": "ö"}'.encode(),
]
_TELLING = b'{}[]":,\\0123456789.eE+-truefalsn \t\n\x00\x1b\x7f\x80\xbf\xc3\xe2\xed\xf0\xff'


def mutant(chance):
    """Return one to four changes to a good record: a byte or a run of them, or two spliced."""
    value = bytearray(chance.choice(GOOD))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(value) + 1)
        match chance.randrange(6):
            case 0 if at < len(value):
                value[at] ^= 1 << chance.randrange(8)
            case 1:
                value.insert(at, chance.choice(_TELLING))
            case 2:
                del value[at : at + chance.randint(1, 6)]
            case 3 if at < len(value):
                value[at] = chance.choice(_TELLING)
            case 4:
                other = chance.choice(GOOD)
                value[at:] = other[chance.randrange(len(other)) :]
            case _:
                end = min(len(value), at + chance.randint(1, 12))
                value[at:at] = value[at:end] * chance.randint(1, 40)
    return bytes(value)
