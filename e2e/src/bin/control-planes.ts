// Control planes for hand use: `node e2e/src/bin/control-planes.ts up NAME… | down [NAME…]`.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MusterError } from '@muster/base';
import { startControlPlane, stopControlPlane } from '../control-plane.ts';
import { kubectlPath } from '../tools.ts';

const folder = fileURLToPath(new URL('../../../.muster/control-planes/', import.meta.url));
const say = (line: string) => process.stderr.write(`${line}\n`);

async function up(names: string[]): Promise<void> {
  await kubectlPath({ log: say });
  const planes = await Promise.all(
    names.map((name) => startControlPlane({ name, dir: join(folder, name), outlive: true, log: say })),
  );
  for (const { name, kubeconfig, server, startedIn } of planes) {
    console.log(`${name}\t${server}\texport KUBECONFIG=${kubeconfig}\t(${(startedIn / 1000).toFixed(1)} s)`);
  }
  console.log(`kubectl\t${await kubectlPath()}`);
  await Promise.all(planes.map(({ kube }) => kube.close()));
}

async function down(names: string[]): Promise<void> {
  const all = names.length > 0 ? names : await readdir(folder).catch(() => []);
  for (const name of all)
    console.log(`${name}\t${(await stopControlPlane(join(folder, name))) ? 'stopped' : 'was not running'}`);
}

const [verb, ...names] = process.argv.slice(2);
try {
  if (verb === 'up' && names.length > 0) await up(names);
  else if (verb === 'down') await down(names);
  else {
    say('usage: control-planes.ts up NAME… | down [NAME…]');
    process.exitCode = 2;
  }
} catch (error) {
  say(MusterError.from(error).describe());
  process.exitCode = 1;
}
