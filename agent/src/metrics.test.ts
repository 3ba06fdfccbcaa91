import { expect, test } from 'vitest';
import { metricsText } from './metrics.ts';

test('metrics say whether a session is open, as Prometheus reads it', () => {
  const text = metricsText({ ready: true, acting: true, connected: false }, { rss: 1, heapUsed: 2 });
  expect(text).toContain('# TYPE muster_agent_connected gauge\nmuster_agent_connected 0\n');
  expect(text).toMatch(/^muster_agent_info\{version="[\d.]+"\} 1$/m);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.+\})? \d+)$/);
});
