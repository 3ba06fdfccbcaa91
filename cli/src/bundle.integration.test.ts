import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

// What is bundled may load its parts in another order than the sources do.
const cli = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'muster-bundle-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function muster(...args: string[]): unknown {
  try {
    return JSON.parse(
      execFileSync(process.execPath, [join(cli, 'dist/muster.mjs'), ...args, '-o', 'json'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  } catch (thrown) {
    // A diff that found something ends with 2.
    const { status, stdout } = thrown as { status?: number; stdout?: string };
    if (status !== 2 || !stdout) throw thrown;
    return JSON.parse(stdout);
  }
}

it('runs scripts as Lua 5.1 has them', () => {
  const script = 'return {status = "Healthy", message = tostring(4 / 2) .. " " .. tostring(3000000000 * 2)}';
  const settings = file(
    'cm.yaml',
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata:\n  resource.customizations.health.ConfigMap: '${script}'\n`,
  );
  const object = file('o.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
  expect(muster('health', '-f', object, '--customizations', settings)).toMatchObject([
    { status: 'Healthy', message: '2 6000000000' },
  ]);
});

it('runs jq programs', () => {
  const map = (a: string, b: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}\ndata: {a: "${a}", b: "${b}"}\n`;
  const application = file(
    'app.yaml',
    'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  ignoreDifferences:\n  - {kind: ConfigMap, jqPathExpressions: [".data.a"]}\n',
  );
  const [desired, live] = [file('d.yaml', map('1', '1')), file('l.yaml', map('2', '2'))];
  expect(muster('diff', '-f', desired, '--live', live, '--application', application)).toMatchObject([
    { name: 'a', fields: [{ path: 'data.b' }] },
  ]);
});
