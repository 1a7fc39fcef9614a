"""Known customers and the real service: SIGHUP, two processes, a real HTTP server as the CRM."""

from tests.support.crm import Crm, Says
from tests.support.service import RunningService

CONFIG = """
api_keys: [change-me]
connectors:
  crm:
    type: rest
    base_url: {url}
    steps:
      - {{path: contact, query: {{p: '{{{{ caller.e164 }}}}'}}, match: phone, take: {{{field}}}}}
extensions: {{inline: {{lan@congty.example: 101, minh@congty.example: 102}}}}
expect:
  - {{caller: 0901234567, extensions: [101]}}
"""
CONTACT = {"phone": "0901234567", "owner": "lan@congty.example", "created_by": "minh@congty.example"}
CSV = "connectors: {file: {type: csv, path: customers.csv}}"


def test_a_wrong_field_is_not_put_in_force_and_a_file_instead_of_a_dead_crm_is(tmp_path):
    file = tmp_path / "config.yaml"
    with Crm({"contact": CONTACT}) as crm:
        file.write_text(CONFIG.format(url=crm.url, field="email: owner"), encoding="utf-8")
        with RunningService(file, "--workers", "2") as service:
            assert service.ask().body == b"101"
            file.write_text(CONFIG.format(url=crm.url, field="email: created_by"), encoding="utf-8")
            service.hang_up()
            told = service.wait_for_log("not reloaded")
            assert "caller …567 (config.yaml:11): answered otherwise: expected extension 101, got extension 102" in told
            assert service.ask().body == b"101"

            crm.scripts["contact"] = Says(status=503)
            (tmp_path / "customers.csv").write_text("phone,owner email\n0912345678,minh@congty.example\n")
            text = file.read_text(encoding="utf-8")
            file.write_text(f"api_keys: [change-me]\n{CSV}\n{text[text.index('extensions:') :]}", encoding="utf-8")
            service.hang_up()
            service.wait_for_log("configuration reloaded")
            assert service.ask_until("0912345678", b"102").body == b"102"
            service.wait_for_log("got nobody: .*asked again until it is as expected")
