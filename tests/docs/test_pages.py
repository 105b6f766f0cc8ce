#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that the checks of pages find what is wrong: usage: test_pages.py --c COMPILER

Each page here is right but for one thing; the scripts must accept the first and refuse the others.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

SCRIPTS = pathlib.Path(__file__).resolve().parent

RIGHT = """# A page

See [below](#the-end-of-it) and [itself](page.md#a-page).

<!-- given: int rc; -->
```c
rc = anyc_checkpoint();
```

```c
#include <stdio.h>

int main(void)
{
    puts("hello, world");
    return 0;
}
```

```console
$ ./program
hello, ...
$ ./program | wc -l
1
```

## The end of it
"""

# What is put in the place of what, and which script must refuse the page.
WRONG = [
    ("hello, ...", "hello, moon", "run.py"),
    ("hello, ...", "hello, ...\nand more", "run.py"),
    ("wc -l\n1", "wc -l", "run.py"),
    ("return 0;", "return 1;", "run.py"),
    ("```console\n", "```\n", "run.py"),
    ("```console\n", "```\n", "check.py"),
    ("rc = anyc_checkpoint();", "rc = anyc_no_such_function();", "check.py"),
    ("(page.md#a-page)", "(nowhere.md)", "check.py"),
    ("(#the-end-of-it)", "(#the-beginning)", "check.py"),
]


def accepts(script, text, compiler):
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.md"
        page.write_text(text)
        command = [sys.executable, SCRIPTS / script]
        if script == "check.py":
            command += [folder, "--c", compiler]
        else:
            subprocess.run([sys.executable, SCRIPTS / "extract.py", folder, folder], check=True,
                           stdout=subprocess.DEVNULL)
            program = pathlib.Path(folder) / "built"
            subprocess.run([compiler, pathlib.Path(folder) / "page_1.c", "-o", program], check=True)
            command += [page, "1", program]
        done = subprocess.run(command, check=False, text=True, capture_output=True)
        if done.returncode not in (0, 1) or done.stderr:
            raise RuntimeError(f"{script} failed itself:\n{done.stdout}{done.stderr}")
        return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--c", required=True)
    compiler = parser.parse_args().c
    problems = [f"{script} refuses a page that is right"
                for script in ("run.py", "check.py") if not accepts(script, RIGHT, compiler)]
    for old, new, script in WRONG:
        assert old in RIGHT
        if accepts(script, RIGHT.replace(old, new), compiler):
            problems.append(f"{script} accepts {new!r} in place of {old!r}")
    print("\n".join(problems) or f"{len(WRONG)} mistakes were found")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
