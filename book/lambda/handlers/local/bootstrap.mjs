// Minimal loop of the Lambda Runtime API for Node.js: for local runs, not for Lambda.
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, where, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: `/2018-06-01/runtime/${where}` };
    const request = http.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

try {
  const [file, name] = process.env._HANDLER.split(".");
  const task = path.join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`);
  const handler = (await import(pathToFileURL(task)))[name];
  for (;;) {
    const { headers, text } = await call("GET", "invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    const context = { awsRequestId: id };
    try {
      const answer = await handler(JSON.parse(text), context);
      await call("POST", `invocation/${id}/response`, JSON.stringify(answer));
    } catch (error) {
      const told = { errorType: error.name, errorMessage: error.message };
      await call("POST", `invocation/${id}/error`, JSON.stringify(told));
    }
  }
} catch (error) {
  const told = { errorType: error.name, errorMessage: error.message };
  await call("POST", "init/error", JSON.stringify(told)).catch(() => {});
  process.exit(1);
}
