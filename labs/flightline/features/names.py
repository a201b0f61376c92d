"""The 28 features by name: groups, windows, keys, and the constants of the stage."""

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
LATE_MIN = 15
HOUR = pd.Timedelta(hours=1).as_unit("us")
SECOND = pd.Timedelta(seconds=1).as_unit("us")
LEAD, DAY = 2 * HOUR, 24 * HOUR
T, PLACE = "prediction_time", "NYC"
CATEGORICAL = ["carrier", "origin", "dest"]
REQUEST = ["minute_of_day", "weekday", "distance_mi", "block_min"]
ON_DEMAND = [*CATEGORICAL, *REQUEST, "nearby_flights"]
DEPARTURES = {
    "origin_dep_delay_1h": (["origin"], 1),
    "origin_dep_delay_3h": (["origin"], 3),
    "carrier_dep_delay_3h": (["carrier"], 3),
    "origin_carrier_dep_delay_3h": (["origin", "carrier"], 3),
    "all_dep_delay_1h": ([], 1),
}
ARRIVALS = {
    "origin_arr_delay_3h": (["origin"], 3),
    "dest_arr_delay_3h": (["dest"], 3),
    "dest_arr_delay_24h": (["dest"], 24),
    "carrier_arr_delay_24h": (["carrier"], 24),
    "all_late_share_24h": ([], 24),
}
BACKLOG = {
    "origin_waiting": ["origin"],
    "origin_carrier_waiting": ["origin", "carrier"],
}
WEATHER = ["temp", "dewp", "wind_speed", "gust", "precip_3h", "visib", "pressure"]
REPORT = [name for name in WEATHER if name != "precip_3h"]
HISTORY = ["flight_late_rate"]
NUMBER = ["carrier", "flight", "dest"]
RATES = {"history": (HISTORY[0], 30), "history_v2": ("flight_late_rate_v2", 60)}
FEATURES = [*ON_DEMAND, *DEPARTURES, *ARRIVALS, *BACKLOG, *WEATHER, *HISTORY]
NUMERIC = [name for name in FEATURES if name not in CATEGORICAL]
KEYS = ["flight_id", T, "sched_dep_utc", "month"]
PLAN = ["carrier", "flight", "origin", "dest", "distance"]
PLAN += ["sched_dep_utc", "sched_arr_utc"]
START_SET = [*ON_DEMAND, "origin_dep_delay_1h", "origin_dep_delay_3h", *BACKLOG]
SERVICES = {"delay": FEATURES, "delay_start": START_SET}
