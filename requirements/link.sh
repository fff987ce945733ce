# Make the project importable and `lakehouse` callable in an environment: a path file and a starter, nothing to build.
set -eu
venv=$1
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
pwd > "$site/lakehouse.pth"
printf '#!%s\nfrom orchestration.cli.main import main\n\nmain()\n' "$(pwd)/$venv/bin/python" > "$venv/bin/lakehouse"
chmod +x "$venv/bin/lakehouse"
