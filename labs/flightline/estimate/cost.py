"""What rented machines cost."""

import math

from flightline.estimate.checks import in_python_numbers, positive, within


@in_python_numbers
def cost_usd(machines: float, hours: float, usd_per_hour: float) -> float:
    """Return the price of machines that are rented by the hour.

    Parameters
    ----------
    machines, hours, usd_per_hour : float
        How many, how long, and the price of one of them.

    Returns
    -------
    float
        US dollars.
    """
    positive(machines=machines, hours=hours)
    within(0, math.inf, usd_per_hour=usd_per_hour)
    return machines * hours * usd_per_hour


@in_python_numbers
def cost_per_million_usd(servers: float, usd_per_hour: float, qps: float) -> float:
    """Return the price of a million requests.

    Parameters
    ----------
    servers, usd_per_hour : float
        Size of the fleet, price of one server.
    qps : float
        Requests a second on average: idle hours are paid for too.

    Returns
    -------
    float
        US dollars.
    """
    positive(servers=servers, qps=qps)
    return cost_usd(servers, 1e6 / qps / 3600, usd_per_hour)
