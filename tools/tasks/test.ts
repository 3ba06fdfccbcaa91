// `npm test`: every ring, from unit to browser. `npm test unit e2e` runs some; `--full` runs the e2e ring on both
// queue backends; what follows `--` goes to the runner.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureGoTool } from '../go-tools.mjs';
import { ensureUnpacked } from '../debian-package.ts';
import { buildAll } from './build.ts';
import { bin, root, run, took } from './context.ts';
import { CHROMIUM, GIT, PROMETHEUS, REDIS, SSHD, ensureProgram } from './system.ts';

interface Ring {
  name: string;
  project: string;
  prepare: () => Promise<void>;
  env?: Record<string, string>;
}

/** What is read of the runner's JSON report. */
interface Report {
  numPassedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[];
  }[];
}

const separator = process.argv.indexOf('--', 2);
const own = process.argv.slice(2, separator === -1 ? undefined : separator);
const passed = separator === -1 ? [] : process.argv.slice(separator + 1);
const full = own.includes('--full');
const wanted = own.filter((a) => !a.startsWith('--'));
const tool = async (name: string) => void (await ensureGoTool(name, { log: console.error }));

/** Where it cannot be had, its tests are skipped and say so. */
const prometheus = async () =>
  void (await ensureUnpacked(PROMETHEUS).catch((e: unknown) => console.warn((e as Error).message)));

const controlPlanes = async () => {
  await buildAll();
  await tool('control-plane');
};
const backend = process.env['MUSTER_TEST_QUEUE'] ?? 'postgres';
const rings: Ring[] = [
  { name: 'checks', project: '', prepare: async () => {} },
  {
    name: 'unit',
    project: 'unit',
    prepare: async () => {
      const { ensureRenderer } = await import('./renderer.ts');
      await ensureRenderer();
    },
  },
  {
    name: 'integration',
    project: 'integration',
    prepare: async () => {
      await ensureProgram(GIT);
      await ensureProgram(REDIS);
      await tool('helm');
      await tool('registry');
      // Where it cannot be had, that test is skipped and says so.
      await ensureProgram(SSHD).catch((e: unknown) => console.warn((e as Error).message));
      await prometheus();
      // Needs a C compiler; without one its tests are skipped and say so.
      await tool('gitea').catch((e: unknown) => console.warn((e as Error).message));
    },
  },
  {
    name: 'e2e',
    project: 'e2e',
    prepare: async () => {
      await ensureProgram(REDIS);
      await controlPlanes();
      await prometheus();
      // A run of some files builds what they need by itself.
      if (passed.length === 0)
        for (const controllers of ['argo-rollouts', 'sealed-secrets', 'flux']) await tool(controllers);
    },
    env: { MUSTER_TEST_QUEUE: backend },
  },
  {
    name: 'browser',
    project: 'browser',
    prepare: async () => {
      await ensureProgram(CHROMIUM);
      await controlPlanes();
    },
  },
];
if (full) {
  const e2e = rings.find((r) => r.name === 'e2e')!;
  e2e.env = { MUSTER_TEST_QUEUE: 'postgres' };
  rings.splice(rings.indexOf(e2e) + 1, 0, {
    ...e2e,
    name: 'e2e on Redis',
    env: { MUSTER_TEST_QUEUE: 'redis' },
  });
}

const results = mkdtempSync(join(tmpdir(), 'muster-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const summary: string[] = [];
const failures: string[] = [];
for (const ring of rings) {
  if (wanted.length > 0 && !wanted.includes(ring.name.split(' ')[0]!)) continue;
  const started = Date.now();
  console.log(`\n━━ ${ring.name}`);
  try {
    await ring.prepare();
    const counts = ring.project === '' ? await checks() : await vitest(ring);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    summary.push(
      `${ring.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${took(started)}`,
    );
  } catch (e) {
    total.failed += 1;
    summary.push(`${ring.name}: could not run: ${(e as Error).message}`);
    console.error(e);
  }
}
rmSync(results, { recursive: true, force: true });
// At the very end, too: of a long log often only the end is at hand.
if (failures.length > 0) console.log(`\n━━ what failed\n${failures.join('\n')}`);
console.log(`\n${summary.map((s) => `  ${s}`).join('\n')}\n`);
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

async function checks() {
  const { runChecks } = await import('./checks.ts');
  return { ...(await runChecks()), skipped: 0 };
}

async function vitest(ring: Ring) {
  const file = join(results, `${ring.name.replaceAll(' ', '-')}.json`);
  const args = [
    'run',
    '--project',
    ring.project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...passed,
  ];
  const code = await run(bin('vitest'), args, { env: { ...process.env, ...ring.env } });
  const report: Report = JSON.parse(readFileSync(file, 'utf8'));
  const told = failuresOf(report);
  failures.push(...told.map((text) => `✗ ${ring.name}: ${text}`));
  const failed = told.length;
  // Whatever else made the runner fail (an unhandled rejection, a hook) counts as a failure too.
  return {
    passed: report.numPassedTests,
    failed: code !== 0 ? Math.max(failed, 1) : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** A text for each test that failed, and for each file that failed around its tests (its import, a hook). */
function failuresOf(report: Report): string[] {
  return report.testResults.flatMap((file) => {
    const name = relative(root, file.name);
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0) return file.status === 'failed' ? [`${name}\n${excerpt(file.message)}`] : [];
    return failed.map((t) => `${name} › ${t.fullName}\n${excerpt(t.failureMessages?.join('\n'))}`);
  });
}

function excerpt(message = ''): string {
  const lines = message.trimEnd().split('\n').slice(0, 12);
  return lines.map((line) => `    ${line.slice(0, 400)}`).join('\n');
}
