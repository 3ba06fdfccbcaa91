// What needs no running part: format, lint, import rules, types, generated files. Each is one row.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, capture, root, took } from './context.ts';

interface Check {
  name: string;
  run: () => Promise<{ code: number; output: string }>;
  hint: string;
}

const ok = { code: 0, output: '' };
const proto = join(root, 'proto');

const checks: Check[] = [
  { name: 'format', run: () => capture(bin('biome'), ['format', '.']), hint: 'npm run format' },
  { name: 'lint', run: () => capture(bin('oxlint'), ['--quiet', '.']), hint: 'see the rule named above' },
  {
    name: 'import rules',
    run: () =>
      capture(bin('depcruise'), [
        '--config',
        '.dependency-cruiser.mjs',
        '--output-type',
        'err-long',
        'proto/src',
        'libs',
        'renderer/src',
        'hub/src',
        'agent/src',
        'cli/src',
        'web/src',
        'e2e/src',
        'tools',
      ]),
    hint: 'the message of the rule says what to do instead',
  },
  ...['.', 'hub', 'web'].map((project) => ({
    name: project === '.' ? 'types' : `types of ${project}`,
    run: () => capture(bin('tsc'), ['--noEmit', '-p', project]),
    hint: 'tsc names the line',
  })),
  {
    name: 'protocol lint',
    run: () => capture(bin('buf'), ['lint'], { cwd: proto }),
    hint: 'proto/README.md',
  },
  {
    name: 'protocol compatibility',
    run: () => capture(bin('buf'), ['breaking', '--against', 'baseline.binpb'], { cwd: proto }),
    hint: 'agents in the field speak the older protocol: add fields, never change or remove them',
  },
  { name: 'generated protocol code', run: generatedProtocol, hint: 'npm run generate' },
  {
    name: 'no download addresses in the lock file',
    run: async () => {
      const found = await capture('grep', ['-c', '"resolved": "http', 'package-lock.json']);
      return found.code === 1 ? ok : { code: 1, output: 'package-lock.json has download addresses' };
    },
    hint: 'keep omit-lockfile-registry-resolved in .npmrc',
  },
];

/** Most of them keep one processor busy. */
const AT_ONCE = 2;

/** Runs all checks, prints a row for each as it ends, answers how many passed and failed. */
export async function runChecks(): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  const waiting = [...checks];
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) if (!(await passes(check))) failed += 1;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { passed: checks.length - failed, failed };
}

async function passes(check: Check): Promise<boolean> {
  const started = Date.now();
  const { code, output } = await check.run();
  console.log(` ${code === 0 ? '✓' : '✗'} ${check.name} (${took(started)})`);
  if (code === 0) return true;
  console.log(output.trimEnd().split('\n').slice(-80).join('\n'));
  console.log(`   → ${check.hint}`);
  return false;
}

async function generatedProtocol(): Promise<{ code: number; output: string }> {
  const out = mkdtempSync(join(tmpdir(), 'muster-proto-'));
  try {
    const made = await capture(bin('buf'), ['generate', '-o', out], { cwd: proto });
    if (made.code !== 0) return made;
    return await capture('diff', ['-r', '-q', join(out, 'src/gen'), join(proto, 'src/gen')]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
