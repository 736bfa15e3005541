import { answerTo } from "./answers.js";
self.onmessage = ({ data }) => answerTo(data, self);
self.onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => answerTo(data, port));
