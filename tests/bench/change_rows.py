"""Change files of one facility's captured tables, as many rows as wanted: the same bytes for the product and for the floor.

Of ten rows seven insert a result and one each an order, a visit and a diagnosis, so that every mart has rows; every eighth result is later
corrected. Patients are few: resolving them is identity's own benchmark. Everything follows from the row's number.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

PATIENTS = 2_000
FACILITY, DAY = "harbor", "2026-01-06"
# A change's position in the log: its second in UTC and a running number, 35 digits.
SEQUENCE = "'20260106060000' || lpad(cast({0} as varchar), 21, '0')"
MRN = "'H' || lpad(cast({0} % " + str(PATIENTS) + " as varchar), 7, '0')"
MOMENT = "strftime(timestamp '2026-01-02 00:00:00' + to_minutes(cast({0} % 5000 as int)), '%Y-%m-%d %H:%M:%S.000')"
LATER = "strftime(timestamp '2026-01-02 02:00:00' + to_minutes(cast({0} % 5000 as int)), '%Y-%m-%d %H:%M:%S.000')"
TESTS = "['LGLU', 'LNA', 'LK', 'LCL', 'LCREA', 'LHGB'][n % 6 + 1]"
VISIT = "'VH' || cast((n % {visits}) as varchar)"

# Feed -> (share of the rows, columns). `{visits}` and `{orders}`: how many of them there are.
FEEDS = {
    "dms_visit": (0.1, f"n as VisitID, {VISIT} as VisitNo, {MRN.format('n')} as MRN, ['I', 'O', 'E'][n % 3 + 1] as VisitType, 'D' as VisitStatus, "
                       f"{MOMENT.format('n')} as AdmitTime, {LATER.format('n')} as DischargeTime, '5W' as Ward, '333' as Room, 'A' as Bed, '1' as Disposition"),
    "dms_diagnosis": (0.1, f"n as DiagnosisID, {MRN.format('n % {visits}')} as MRN, {VISIT} as VisitNo, 'N39.0' as Icd10, "
                           "'Urinary tract infection' as Description, 'A' as ClinicalStatus, '2026-01-02' as OnsetDate"),
    "dms_order": (0.1, f"n as OrderID, 'P' || n as OrderNo, {MRN.format('n % {visits}')} as MRN, {VISIT} as VisitNo, 'LTSHP' as TestCode, "
                       f"'Thyrotropin' as TestName, 'R' as Priority, 'C' as OrderStatus, {MOMENT.format('n')} as OrderedAt, 'A B' as OrderedBy"),
    "dms_labresult": (0.7, f"(n % {{results}}) as ResultID, {MRN.format('n % {results} % {visits}')} as MRN, 'VH' || cast(n % {{results}} % {{visits}} as varchar) as VisitNo, "
                           f"'P' || (n % {{results}} % {{orders}}) as OrderNo, {TESTS.replace('n %', 'n % {results} %')} as TestCode, 'Test' as TestName, "
                           "cast(n % 97 + 0.5 as varchar) as ResultValue, 'NULL' as ResultText, 'mg/dL' as Unit, "
                           f"{MOMENT.format('(n % {results})')} as CollectedAt, {LATER.format('(n % {results})')} as ReportedAt, "
                           "case when n >= {results} then 'C' else 'F' end as ResultStatus"),
}
PATIENT = (f"n as PatientID, {MRN.format('n')} as MRN, upper(substr(md5('f' || n), 1, 9)) as LastName, upper(substr(md5('g' || n), 1, 7)) as FirstName, "
           "['M', 'F'][n % 2 + 1] as Sex, strftime(date '1930-01-01' + cast(n * 17 % 30000 as int), '%Y-%m-%d') as BirthDate, 'NULL' as Phone, "
           "n || ' Main Ave' as Street, 'Glenbrook' as City, 'CA' as State, 'NULL' as Zip")


def write_changes(folder: Path, rows: int) -> int:
    """Write `<facility>/<feed>/<date>/…csv` below a folder; gives how many change rows there are."""
    counts = {feed: int(rows * share) for feed, (share, _) in FEEDS.items()}
    counts["dms_patient"] = PATIENTS
    places = {"visits": counts["dms_visit"], "orders": counts["dms_order"], "results": counts["dms_labresult"] * 7 // 8}
    first = 0
    with duckdb.connect() as connection:
        for feed, columns in {"dms_patient": PATIENT, **{feed: columns for feed, (_, columns) in FEEDS.items()}}.items():
            target = folder / FACILITY / feed / DAY / "20260106-000000001.csv"
            target.parent.mkdir(parents=True)
            text = columns
            for name, count in places.items():
                text = text.replace(f"{{{name}}}", str(count))
            connection.execute(f"copy (select 'I' as Op, {SEQUENCE.format(f'(n + {first})')} as AR_H_CHANGE_SEQ, {text} from range({counts[feed]}) made(n) "
                               f"order by n) to '{target}' (header, delimiter ',')")
            first += counts[feed]
    return sum(counts.values())
