import { expect, test } from 'vitest';
import { metricsText } from './metrics.ts';

test('metrics say whether a session is open, as Prometheus reads it', () => {
  const health = { ready: true, acting: true, connected: false, clockOffsetMs: () => -90_500 };
  const text = metricsText(health, { rss: 1, heapUsed: 2 });
  expect(text).toContain('\nmuster_agent_hub_clock_offset_seconds -90.5\n');
  expect(text).toContain('# TYPE muster_agent_connected gauge\nmuster_agent_connected 0\n');
  expect(text).toMatch(/^muster_agent_info\{version="[\d.]+"\} 1$/m);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.+\})? -?\d+(\.\d+)?)$/);
});
