// `bin/muster`: the command-line client, from its sources. Compiled code is kept, so that the next start is quick.
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runProcess } = await import('@muster/cli');
await runProcess();
