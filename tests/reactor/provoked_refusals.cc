#include "tests/reactor/provoked_refusals.h"

namespace sagalog {
namespace {

constexpr ProvokedRefusal kProvoked[] = {
    {"not_found", R"(plan T {"parent":"ghost"})", "saga=T subject=ghost"},
    {"invalid_argument",
     R"(plan A {"depends_on":["T"]}
        plan T {"depends_on":["A"]})",
     "saga=T subject=depends_on"},
    {"invalid_argument", R"(plan T {"policy":{"max_running":"599s"}})", "saga=T subject=policy"},
    {"already_exists",
     R"(plan T
        plan T)",
     "saga=T state=planned version=1 since=0s subject=saga_id sequence=2"},
    {"already_exists",
     R"(plan T {"key":"k"}
        plan U {"key":"k"})",
     "saga=T state=planned version=1 since=0s subject=key sequence=2"},
    {"already_exists",
     R"(plan T {"key":"k"}
        acquire T {"owner":"w"}
        complete T {"token":$TOKEN}
        plan U {"key":"k"})",
     "saga=T state=completed version=3 since=0s subject=key sequence=4"},
    {"version_conflict", R"(plan T {"expected_version":3})", "saga=T version=0"},

    {"lease_held",
     R"(plan T
        dispatch T {"owner":"d","ttl":"10s"}
        advance 11s
        dispatch T {"owner":"d2"})",
     "saga=T state=dispatched version=2 holder=d since=0s expires=10s sequence=3"},
    {"parked",
     R"(plan T
        advance 1s
        park T
        advance 1s
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=2 since=1s sequence=3"},
    {"not_before",
     R"(plan T {"not_before":"90s"}
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=1 since=0s expires=90s sequence=2"},
    {"dependency_unmet",
     R"(plan T {"depends_on":["A"]}
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=1 since=0s subject=A sequence=2"},
    {"frozen",
     R"(plan T
        configure_queue - {"queue":"default","frozen":true}
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=1 since=0s subject=default sequence=2"},
    {"limit_reached",
     R"(plan T
        plan U
        configure_queue - {"queue":"default","limit":1}
        dispatch U {"owner":"d"}
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=1 since=0s limit=1 actual=1 subject=queue default sequence=2"},
    {"limit_reached",
     R"(plan T {"policy":{"max_dispatch_failures":1}}
        dispatch T {"owner":"d"}
        abort_dispatch T {"dispatch_token":$TOKEN}
        dispatch T {"owner":"d"})",
     "saga=T state=planned version=3 since=0s limit=1 actual=1 subject=max_dispatch_failures "
     "sequence=4"},

    {"lease_held",
     R"(plan T
        dispatch T {"owner":"d"}
        acquire T {"owner":"w","dispatch_token":$TOKEN,"ttl":"50s"}
        abort_dispatch T {"dispatch_token":3})",
     "saga=T state=running version=3 holder=w since=0s expires=50s sequence=4"},
    {"compensation_missing",
     R"(plan T
        dispatch T {"owner":"d"}
        abort_dispatch T {"dispatch_token":$TOKEN,"then":"fail"})",
     "saga=T state=dispatched version=2 holder=d since=0s expires=1m sequence=3"},

    {"lease_held",
     R"(plan T {"stage":"build"}
        advance 5s
        acquire T {"owner":"w","ttl":"50s"}
        acquire T {"owner":"x"})",
     "saga=T state=running version=2 holder=w since=5s expires=55s stage=build sequence=3"},
    {"lease_held",
     R"(plan T
        acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"50s"}
        advance 50s
        report_owner T {"identity":{"host":"h","pid":7},"verdict":"alive"}
        acquire T {"owner":"x"})",
     "saga=T state=running version=3 holder=w since=0s expires=110s sequence=4"},
    {"lease_held",
     R"(plan T
        acquire T {"owner":"w","ttl":"50s"}
        advance 49s
        record_exit T {"token":$TOKEN,"exit_code":1}
        advance 1s
        acquire T {"owner":"x"})",
     "saga=T state=running version=3 holder=w since=0s expires=349s sequence=4"},
    {"in_grace",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        crash 60s
        acquire T {"owner":"x"})",
     "saga=T state=running version=2 holder=w since=0s expires=90s sequence=3"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 1s
        enter_section T {"token":$TOKEN,"name":"push"}
        advance 9s
        acquire T {"owner":"x"})",
     "saga=T state=running version=3 holder=w since=1s expires=10s subject=push sequence=4"},
    {"owner_dead",
     R"(plan T
        acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"}
        advance 10s
        report_owner T {"identity":{"host":"h","pid":7},"verdict":"dead"}
        acquire T {"owner":{"owner":"w","host":"h","pid":7}})",
     "saga=T state=running version=3 holder=w since=0s expires=10s sequence=4"},
    {"parked",
     R"(plan T
        advance 1s
        park T
        acquire T {"owner":"w"})",
     "saga=T state=planned version=2 since=1s sequence=3"},
    {"not_before",
     R"(plan T {"not_before":"90s"}
        acquire T {"owner":"w"})",
     "saga=T state=planned version=1 since=0s expires=90s sequence=2"},
    {"dependency_unmet",
     R"(plan A
        cancel A
        plan T {"depends_on":["A"]}
        acquire T {"owner":"w"})",
     "saga=T state=planned version=1 since=0s subject=A sequence=5"},
    {"frozen",
     R"(plan T
        configure_queue - {"queue":"default","frozen":true}
        acquire T {"owner":"w"})",
     "saga=T state=planned version=1 since=0s subject=default sequence=2"},
    {"limit_reached",
     R"(plan T
        plan U
        change_policy - {"limit":1}
        acquire U {"owner":"w"}
        acquire T {"owner":"w"})",
     "saga=T state=planned version=1 since=0s limit=1 actual=1 subject=the store sequence=2"},
    {"limit_reached",
     R"(plan T {"policy":{"max_recoveries":0}}
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        acquire T {"owner":"x"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s limit=0 actual=0 "
     "subject=max_recoveries sequence=3"},

    {"frozen",
     R"(plan T
        configure_queue - {"queue":"default","frozen":true}
        claim_next - {"queue":"default","owner":"w"})",
     "saga= subject=default"},
    {"limit_reached",
     R"(plan T
        configure_queue - {"queue":"default","limit":0}
        claim_next - {"queue":"default","owner":"w"})",
     "saga= limit=0 actual=0 subject=queue default"},
    {"empty", R"(claim_next - {"queue":"q","owner":"w"})", "saga= subject=q"},

    {"stale_token",
     R"(plan T
        heartbeat T {"token":7})",
     "saga=T state=planned version=1 since=0s sequence=2"},
    {"stale_token",
     R"(plan T
        acquire T {"owner":"w"}
        heartbeat T {"token":7})",
     "saga=T state=running version=2 holder=w since=0s expires=1m sequence=3"},
    {"not_owner",
     R"(plan T
        acquire T {"owner":"w"}
        heartbeat T {"token":$TOKEN,"owner":"x"})",
     "saga=T state=running version=2 holder=w since=0s expires=1m sequence=3"},
    {"lease_expired",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        heartbeat T {"token":$TOKEN})",
     "saga=T state=running version=2 holder=w since=0s expires=10s sequence=3"},
    {"wrong_state",
     R"(plan T
        dispatch T {"owner":"d"}
        release T {"token":$TOKEN})",
     "saga=T state=dispatched version=2 holder=d since=0s expires=1m sequence=3"},
    {"terminal",
     R"(plan T
        advance 3s
        cancel T
        heartbeat T {"token":7})",
     "saga=T state=cancelled version=3 since=3s sequence=4"},

    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        release T {"token":$TOKEN})",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=push sequence=4"},
    {"lease_held",
     R"(plan T {"stage":"build"}
        acquire T {"owner":"w"}
        advance_stage T {"actor":"o","expected":"build","next":"test"})",
     "saga=T state=running version=2 holder=w since=0s expires=1m stage=build sequence=3"},
    {"cancel_pending",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        advance 2s
        cancel T
        advance_stage T {"token":$TOKEN,"next":"test"})",
     "saga=T state=running version=4 holder=w since=2s expires=1m sequence=5"},
    {"stage_conflict",
     R"(plan T
        acquire T {"owner":"w"}
        advance_stage T {"token":$TOKEN,"next":"build"}
        annotate T {"text":"n"}
        advance_stage T {"token":$TOKEN,"expected":"test","next":"deploy"})",
     "saga=T state=running version=4 holder=w since=0s expires=1m stage=build sequence=4"},
    {"cancel_pending",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        advance 2s
        cancel T
        enter_section T {"token":$TOKEN,"name":"again"})",
     "saga=T state=running version=4 holder=w since=2s expires=1m sequence=5"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        advance 2s
        enter_section T {"token":$TOKEN,"name":"push"}
        enter_section T {"token":$TOKEN,"name":"push"})",
     "saga=T state=running version=3 holder=w since=2s expires=1m subject=push sequence=4"},
    {"stage_conflict",
     R"(plan T {"stage":"build"}
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push","expected_stage":"test"})",
     "saga=T state=running version=2 holder=w since=0s expires=1m stage=build sequence=2"},
    {"compensation_missing",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        leave_section T {"token":$TOKEN,"outcome":"o","final":"failed"})",
     "saga=T state=running version=3 holder=w since=0s expires=1m sequence=4"},
    {"wrong_state",
     R"(plan T
        acquire T {"owner":"w"}
        leave_section T {"token":$TOKEN,"outcome":"o","final":"completed"})",
     "saga=T state=running version=2 holder=w since=0s expires=1m sequence=3"},

    {"request_conflict",
     R"(plan T
        acquire T {"owner":"w"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"g"})",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=e sequence=4"},
    {"effect_begun",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 2s
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"}
        advance 8s
        acquire T {"owner":"x"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"})",
     "saga=T state=running version=4 holder=w since=2s subject=e sequence=4"},
    {"effect_settled",
     R"(plan T
        acquire T {"owner":"w"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"}
        advance 3s
        settle_effect T {"effect":"e","outcome":"done","result":"charge 17"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"})",
     "saga=T state=running version=4 holder=w since=3s expires=1m subject=e result=charge 17 "
     "sequence=5"},
    {"effect_settled",
     R"(plan T
        acquire T {"owner":"w"}
        begin_effect T {"token":$TOKEN,"effect":"e","fingerprint":"f"}
        advance 3s
        settle_effect T {"effect":"e","outcome":"done","result":"charge 17"}
        settle_effect T {"effect":"e","outcome":"undone"})",
     "saga=T state=running version=4 holder=w since=3s expires=1m subject=e result=charge 17 "
     "sequence=5"},
    {"not_found",
     R"(plan T
        settle_effect T {"effect":"e","outcome":"done","expected_version":9})",
     "saga=T state=planned version=1 since=0s subject=e sequence=2"},
    {"wrong_state",
     R"(plan T
        acquire T {"owner":"w"}
        record_exit T {"token":$TOKEN,"exit_code":1}
        record_exit T {"token":$TOKEN,"exit_code":2})",
     "saga=T state=running version=3 holder=w since=0s expires=1m actual=1 sequence=4"},

    {"already_exists",
     R"(plan T
        register_compensation T {"id":"c","kind":"undo","target":"t"}
        register_compensation T {"id":"c","kind":"undo","target":"u"})",
     "saga=T state=planned version=2 since=0s subject=c sequence=3"},
    {"busy",
     R"(plan A
        register_compensation A {"id":"a","kind":"undo","target":"t"}
        plan T
        register_compensation T {"id":"c","kind":"undo","target":"t"})",
     "saga=A state=planned version=2 since=0s subject=t sequence=3"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        complete T {"token":$TOKEN})",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=push sequence=4"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        fail T {"token":$TOKEN})",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=push sequence=4"},
    {"compensation_missing",
     R"(plan T
        acquire T {"owner":"w"}
        fail T {"token":$TOKEN})",
     "saga=T state=running version=2 holder=w since=0s expires=1m sequence=3"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push"}
        compensate T {"token":$TOKEN})",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=push sequence=4"},
    {"compensation_missing",
     R"(plan T
        acquire T {"owner":"w"}
        compensate T {"token":$TOKEN})",
     "saga=T state=running version=2 holder=w since=0s expires=1m sequence=3"},
    {"compensation_owed",
     R"(plan T {"compensations":[{"id":"c","kind":"undo","target":"t"}]}
        acquire T {"owner":"w"}
        compensate T {"token":$TOKEN}
        mark_compensated T)",
     "saga=T state=compensating version=3 since=0s subject=c sequence=4"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w"}
        enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"}
        advance 6s
        quarantine T)",
     "saga=T state=running version=3 holder=w since=0s expires=1m subject=push sequence=4"},
    {"terminal",
     R"(plan T
        acquire T {"owner":"w"}
        complete T {"token":$TOKEN}
        cancel T)",
     "saga=T state=completed version=3 since=0s sequence=4"},

    {"version_conflict",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        recover T {"observed":1,"decision":"requeue"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s sequence=3"},
    {"not_stale",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s sequence=3"},
    {"in_grace",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        crash 60s
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=running version=2 holder=w since=0s expires=90s sequence=3"},
    {"owner_alive",
     R"(plan T
        acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"50s"}
        advance 50s
        report_owner T {"identity":{"host":"h","pid":7},"verdict":"alive"}
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=running version=3 holder=w since=50s expires=110s sequence=4"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        enter_section T {"token":$TOKEN,"name":"push"}
        advance 10s
        recover T {"observed":$VERSION,"decision":"requeue","section_outcome":"undone"})",
     "saga=T state=running version=3 holder=w since=0s expires=10s subject=push sequence=4"},
    {"section_open",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"}
        advance 10s
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=running version=3 holder=w since=0s expires=10s subject=push sequence=4"},
    {"gate_missing",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        recover T {"observed":$VERSION,"decision":"complete","gate":"fail"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s sequence=3"},
    {"cancel_pending",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"}
        advance 3s
        cancel T
        advance 7s
        recover T {"observed":$VERSION,"decision":"requeue","section_outcome":"undone"})",
     "saga=T state=running version=4 holder=w since=3s expires=10s sequence=5"},
    {"limit_reached",
     R"(plan T {"policy":{"max_recoveries":0}}
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s limit=0 actual=0 "
     "subject=max_recoveries sequence=3"},
    {"compensation_missing",
     R"(plan T
        acquire T {"owner":"w","ttl":"10s"}
        advance 10s
        recover T {"observed":$VERSION,"decision":"fail"})",
     "saga=T state=running version=2 holder=w since=0s expires=10s sequence=3"},
    {"wrong_state",
     R"(plan A
        plan T {"depends_on":["A"]}
        cancel A
        recover T {"observed":$VERSION,"decision":"requeue"})",
     "saga=T state=planned version=1 since=0s sequence=3"},

    {"compensation_order",
     R"(plan T {"compensations":[{"id":"a","kind":"u","target":"1"}]}
        register_compensation T {"id":"b","kind":"u","target":"2"}
        cancel T
        claim_compensation T {"id":"a","executor":"j"})",
     "saga=T state=cancelled version=4 since=0s subject=b sequence=5"},
    {"compensation_settled",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        cancel T
        settle_compensation T {"id":"c","outcome":"waived","actor":"o","detail":"d"}
        claim_compensation T {"id":"c","executor":"j"})",
     "saga=T state=cancelled version=4 since=0s subject=c sequence=5"},
    {"busy",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        advance 1s
        cancel T
        advance 1s
        claim_compensation T {"id":"c","executor":"j","ttl":"9s"}
        advance 1s
        claim_compensation T {"id":"c","executor":"k"})",
     "saga=T state=cancelled version=4 holder=j since=2s expires=11s subject=c sequence=5"},
    {"busy",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        claim_compensation T {"id":"c","executor":"j"})",
     "saga=T state=planned version=1 since=0s subject=c sequence=2"},
    {"busy",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        acquire T {"owner":"w","ttl":"50s"}
        cancel T
        claim_compensation T {"id":"c","executor":"j"})",
     "saga=T state=cancelled version=4 holder=w since=0s expires=50s subject=c sequence=5"},
    {"busy",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        cancel T
        plan A {"compensations":[{"id":"a","kind":"u","target":"1"}]}
        claim_compensation T {"id":"c","executor":"j"})",
     "saga=A state=planned version=1 since=0s subject=c sequence=5"},
    {"not_found",
     R"(plan T
        claim_compensation T {"id":"c","executor":"j","expected_version":9})",
     "saga=T state=planned version=1 since=0s subject=c sequence=2"},
    {"stale_token",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        cancel T
        settle_compensation T {"id":"c","outcome":"done","token":9})",
     "saga=T state=cancelled version=3 since=0s subject=c sequence=4"},
    {"compensation_settled",
     R"(plan T {"compensations":[{"id":"c","kind":"u","target":"1"}]}
        cancel T
        claim_compensation T {"id":"c","executor":"j"}
        settle_compensation T {"id":"c","outcome":"done","token":$TOKEN}
        settle_compensation T {"id":"c","outcome":"failed","token":$TOKEN})",
     "saga=T state=cancelled version=5 since=0s subject=c sequence=6"},
    {"wrong_state",
     R"(plan T
        force_release T {"reason":"r"})",
     "saga=T state=planned version=1 since=0s sequence=2"},
};

}  // namespace

std::span<const ProvokedRefusal> ProvokedRefusals() { return kProvoked; }

}  // namespace sagalog
