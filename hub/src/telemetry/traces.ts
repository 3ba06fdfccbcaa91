/** Exports traces when an OTLP endpoint is set; loaded only then, because it costs memory and time. */
export async function startTraces(endpoint: string | undefined): Promise<() => Promise<void>> {
  if (!endpoint) return async () => undefined;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({ serviceName: 'muster-hub', metricReaders: [] });
  sdk.start();
  return () => sdk.shutdown();
}
