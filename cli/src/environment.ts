import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command takes from its environment. */
export interface Environment {
  /** MUSTER_HUB */
  hub?: string;
  /** MUSTER_TOKEN */
  token?: string;
  /** MUSTER_CONTEXT */
  context?: string;
  /** MUSTER_CONFIG, else $XDG_CONFIG_HOME/muster/config.json, else ~/.config/muster/config.json. */
  configFile: string;
  /** NO_COLOR is not set. */
  mayColour: boolean;
  /** MUSTER_RENDERER_WASM: a built renderer, for `appset generate`. */
  rendererWasm?: string;
}

/** Reads the environment; the only place of the CLI that does. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const text = (name: string) => env[name] || undefined;
  const folder = text('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  return {
    hub: text('MUSTER_HUB'),
    token: text('MUSTER_TOKEN'),
    context: text('MUSTER_CONTEXT'),
    configFile: text('MUSTER_CONFIG') ?? join(folder, 'muster', 'config.json'),
    mayColour: !text('NO_COLOR'),
    rendererWasm: text('MUSTER_RENDERER_WASM'),
  };
}
