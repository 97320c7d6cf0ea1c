"""Writes champion.parquet and candidate.parquet: two models' probabilities that a flight arrives more than a quarter of an hour late.

    python generate.py        # needs numpy, pandas, pyarrow and scikit-learn

Both learn from the flights of January to September 2013 in ../flights-2013.parquet (see there for its source and licence) what is known
when they should leave: the champion is a logistic regression without the weather, the candidate gradient boosting with it. They score
the same 6,000 flights of October to December.
"""

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

flights = pd.read_parquet("../flights-2013.parquet")
flights = flights[flights["arr_delay"].notna()]
late = flights["arr_delay"] > 15
known = pd.DataFrame(
    {
        "hour": flights["sched_dep_time"] // 100,
        "distance": flights["distance"],
        "month": flights["month"],
        "carrier": flights["carrier"].astype("category").cat.codes,
    }
)
weather = flights[["temp", "humid", "wind_speed", "precip", "pressure", "visib"]]
learned = flights["month"] <= 9
scored = flights[~learned].sample(6000, random_state=2013).sort_values(["month", "day"], kind="stable")

champion = make_pipeline(StandardScaler(), LogisticRegression())
champion.fit(known[learned], late[learned])
with_weather = pd.concat([known, weather], axis=1)
candidate = HistGradientBoostingClassifier(max_iter=100, random_state=0)
candidate.fit(with_weather[learned], late[learned])

for name, model, features in [("champion", champion, known), ("candidate", candidate, with_weather)]:
    pd.DataFrame(
        {
            "late": late[scored.index],
            "score": model.predict_proba(features.loc[scored.index])[:, 1].round(3),
            "origin": scored["origin"],
            "carrier": scored["carrier"],
            "day": scored["month"].astype(str).str.zfill(2) + "-" + scored["day"].astype(str).str.zfill(2),
        }
    ).to_parquet(f"{name}.parquet", index=False, compression="zstd")
