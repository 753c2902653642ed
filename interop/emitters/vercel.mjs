// Vercel's AI SDK with its telemetry, generating and streaming, on Claude and on both APIs of OpenAI.
// Arguments: the model server's address and the receiver's, and the cases as JSON: [[family, api, model, stream], ...].
import { createRequire } from "node:module";

const load = createRequire(process.argv[4] + "/");
const { generateText, streamText, registerTelemetry } = load("ai");
const { createOpenAI } = load("@ai-sdk/openai");
const { createAnthropic } = load("@ai-sdk/anthropic");
const { NodeTracerProvider, BatchSpanProcessor } = load("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = load("@opentelemetry/exporter-trace-otlp-http");

const [url, otlp] = process.argv.slice(2, 4);
const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${otlp}/v1/traces` }))],
});
provider.register();
if (registerTelemetry) {
  // from version 7 on spans are written by a package of their own
  const { OpenTelemetry } = load("@ai-sdk/otel");
  registerTelemetry(new OpenTelemetry());
}
const openai = createOpenAI({ apiKey: "none", baseURL: `${url}/v1` });
const anthropic = createAnthropic({ apiKey: "none", baseURL: `${url}/v1` });

for (const [family, api, model, stream] of JSON.parse(process.argv[5])) {
  const chosen = family === "claude" ? anthropic(model) : api === "responses" ? openai.responses(model) : openai.chat(model);
  const asked = { model: chosen, prompt: "hello", maxRetries: 2, experimental_telemetry: { isEnabled: true } };
  try {
    if (stream) {
      for await (const _ of streamText({ ...asked, onError: () => {} }).fullStream);
    } else {
      await generateText(asked);
    }
  } catch {
    // a case that fails is part of the script
  }
}
await provider.shutdown();
