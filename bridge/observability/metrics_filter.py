"""Which of the figures are shown: those of connectors and lists that a reload has not taken away.

The library cannot forget a series that several processes write, so what is gone is left out when the text is made. If
it comes back under the same name, it goes on where it was.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from prometheus_client import Metric
from prometheus_client.registry import Collector


class Shown(Collector):
    """The figures of `source`; where a label stands in `names`, only those with one of its values."""

    def __init__(self, source: Collector, names: Mapping[str, AbstractSet[str]]) -> None:
        self._source = source
        self._names = names

    def collect(self) -> Iterator[Metric]:
        """Give the figures, without the times at which they began: Prometheus has no use for these."""
        for family in self._source.collect():
            shown = Metric(family.name, family.documentation, family.type)
            shown.samples = [
                sample
                for sample in family.samples
                if not sample.name.endswith("_created")
                and all(sample.labels.get(label) in (None, *known) for label, known in self._names.items())
            ]
            yield shown
