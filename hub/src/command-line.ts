import { parseArgs } from 'node:util';
import { MusterError } from '@muster/base';
import { activateFlatKeys, initFlatKeys, type KeysReport, rotateFlatKeys } from './keys/flat-keys.ts';
import { VERSION } from './version.ts';

const USAGE = `The hub of Muster.

  hub                        serve; settings are environment variables (docs/configuration.md)
  hub keys init --out DIR    make the keys of a new hub in DIR, a folder that is empty or new
  hub keys rotate --in DIR   add the next signing keys to DIR; the old ones go on signing
  hub keys activate --in DIR let the newest keys of DIR sign
  hub --help | --version

The files of DIR have no folders, as those of a Secret: \`kubectl create secret generic muster-keys --from-file=DIR\`
makes what the chart's keys.existingSecret names. Keep DIR, or a backup of it, where nobody else reads it:
who has it can deploy to every cluster, and without it every agent has to be enrolled again.
`;

/** Runs what the arguments ask for and answers what to print; undefined: nothing but serving. Throws MusterError `invalid`. */
export async function runCommand(args: string[]): Promise<string | undefined> {
  if (args.length === 0) return undefined;
  const { values, positionals } = parse(args);
  if (values.help) return USAGE;
  if (values.version) return `muster-hub ${VERSION}\n`;
  const command = positionals.join(' ');
  switch (command) {
    case 'keys init':
      return made(await initFlatKeys(folder(command, 'out', values.out)));
    case 'keys rotate':
      return rotated(await rotateFlatKeys(folder(command, 'in', values.in)));
    case 'keys activate':
      return activated(await activateFlatKeys(folder(command, 'in', values.in)));
    default:
      throw wrong(`"${command}" is not a command of the hub`);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        out: { type: 'string' },
        in: { type: 'string' },
      },
    });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function folder(command: string, option: string, value: string | undefined): string {
  if (value) return value;
  throw wrong(`${command} needs --${option} DIR`);
}

function wrong(message: string): MusterError {
  return new MusterError('invalid', message, { hint: 'See `hub --help`.' });
}

function made({ folder, hubId, caSha256 }: KeysReport): string {
  return `Made the keys of hub ${hubId} in ${folder}. SHA-256 of its CA: ${caSha256}
Next: kubectl --namespace NAMESPACE create secret generic muster-keys --from-file=DIR, with that folder as DIR.
Keep a backup of the folder: without it every agent has to be enrolled again.
`;
}

function rotated({ folder, keySetVersion }: KeysReport): string {
  return `${folder} holds key set ${keySetVersion}; the old keys still sign. Next: put the folder into the Secret, restart the hub,
wait until \`muster keys list\` says that every cluster has acknowledged it, then run \`keys activate\`.
`;
}

function activated({ folder, keySetVersion }: KeysReport): string {
  return `The newest keys of key set ${keySetVersion} in ${folder} sign from the next start on. Next: put the folder into the Secret and
restart the hub.
`;
}
