// SPDX-License-Identifier: MIT
// Listener.cs - C#'s HttpListener as a server for duplex fetch: Listener.exe PORT. Says "ready"; ends with its stdin.
using System;
using System.IO;
using System.Net;
using System.Text;

static class Program
{
    static void Answer(HttpListenerContext c)
    {
        HttpListenerResponse r = c.Response;
        string path = c.Request.Url.AbsolutePath;
        r.Headers["X-Method"] = c.Request.HttpMethod;
        if (path == "/moved") {
            r.Redirect("/there");
        } else if (path == "/gb") {
            byte[] text = { 0xC4, 0xE3, 0xBA, 0xC3, 0x0A };
            r.SendChunked = true;
            r.OutputStream.Write(text, 0, text.Length);
        } else if (path == "/secret") {
            string login = c.Request.Headers["Authorization"] ?? "";
            r.StatusCode = login == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("ada:pass")) ? 200 : 401;
        } else if (path == "/echo") {
            var body = new MemoryStream();
            c.Request.InputStream.CopyTo(body);
            r.ContentLength64 = body.Length;
            body.WriteTo(r.OutputStream);
        } else {
            byte[] text = Encoding.UTF8.GetBytes("hello " + c.Request.RemoteEndPoint.Port + "\n");
            r.ContentLength64 = text.Length;
            r.OutputStream.Write(text, 0, text.Length);
        }
        r.Close();
    }

    static void Main(string[] args)
    {
        var listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:" + args[0] + "/");
        listener.Start();
        Console.Error.WriteLine("ready");
        AsyncCallback next = null;
        next = a => {
            HttpListenerContext c = listener.EndGetContext(a);
            listener.BeginGetContext(next, null);
            Answer(c);
        };
        listener.BeginGetContext(next, null);
        while (Console.Read() >= 0) { }
        Environment.Exit(0);
    }
}
