from dataclasses import dataclass

from ignrun import Module


class Pump(Module):
    @dataclass
    class Config:
        rate: int = 1
