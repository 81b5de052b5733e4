"""The public test kit for module authors."""

from ignrun.protocol.orders import Timeouts as Timeouts
from ignrun.testing.clock import FakeClock as FakeClock
from ignrun.testing.clock import settle as settle
from ignrun.testing.driver import Driver as Driver
from ignrun.testing.driver import ModuleFailed as ModuleFailed
from ignrun.testing.driver import drive as drive
from ignrun.testing.peer import FakePeer as FakePeer
from ignrun.testing.peer import Recorded as Recorded
from ignrun.testing.plant import PlantFailed as PlantFailed
from ignrun.testing.plant import PlantUnderTest as PlantUnderTest
