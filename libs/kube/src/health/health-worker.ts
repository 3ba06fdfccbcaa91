/** Runs users' health checks apart from the process that asks: a script may take all the memory it gets. */
import { parentPort } from 'node:worker_threads';
import { healthCustomizations } from './customizations.ts';
import { assessHealth, type HealthOptions } from './assess.ts';
import { unknown } from './status.ts';
import type { HealthAnswer, HealthJob } from './health-checks.ts';

/** By the text of the setting: compiled once. */
const compiled = new Map<string, HealthOptions>();
const MAX_COMPILED = 500;

parentPort!.on('message', ({ key, setting, object }: HealthJob) => {
  parentPort!.postMessage(judge({ key, setting, object }));
});

function judge({ key, setting, object }: HealthJob): HealthAnswer {
  try {
    const text = `${key} ${JSON.stringify(setting)}`;
    let options = compiled.get(text);
    if (!options) {
      if (compiled.size >= MAX_COMPILED) compiled.clear();
      options = healthCustomizations({ [key]: setting }, { now: Date.now });
      compiled.set(text, options);
    }
    return assessHealth(object, options);
  } catch (thrown) {
    return unknown(thrown instanceof Error ? thrown.message : String(thrown));
  }
}
