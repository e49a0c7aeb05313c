// SPDX-License-Identifier: MIT
// Listener.cs - C#'s HTTP beside ours.
//   Listener.exe PORT      its HttpListener as a server for duplex fetch. Says "ready"; ends with its stdin
//   Listener.exe ask URL   its HttpWebRequest, which expects 100-continue, asks a server of ours (http_server.c); prints what comes
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
        } else if (path == "/moved-body") {
            r.StatusCode = 307;
            r.RedirectLocation = "/echo";
        } else if (path == "/basic") { // it asked for the login itself
            var who = (HttpListenerBasicIdentity)c.User.Identity;
            r.StatusCode = who.Name == "ada" && who.Password == "pass" ? 200 : 403;
        } else if (path == "/chunks") {
            r.SendChunked = true;
            for (int i = 0; i < 200; i++) {
                byte[] line = Encoding.ASCII.GetBytes(new string((char)('a' + i % 26), i * 100) + "\n");
                r.OutputStream.Write(line, 0, line.Length);
            }
        } else if (path == "/last") {
            r.KeepAlive = false;
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

    static void Ask(string url, string method, bool chunked, int n, ICredentials login)
    {
        var q = (HttpWebRequest)WebRequest.Create(url);
        q.Method = method;
        q.Proxy = null;
        q.SendChunked = chunked;
        q.Credentials = login;
        if (n > 0) {
            if (!chunked)
                q.ContentLength = n;
            using (Stream s = q.GetRequestStream())
                s.Write(new byte[n], 0, n);
        }
        HttpWebResponse r;
        try {
            r = (HttpWebResponse)q.GetResponse();
        } catch (WebException e) {
            r = (HttpWebResponse)e.Response;
        }
        using (r)
        using (var s = new StreamReader(r.GetResponseStream()))
            Console.WriteLine((int)r.StatusCode + " " + s.ReadToEnd());
    }

    static void AskAll(string url)
    {
        var ada = new NetworkCredential("ada", "sesame");
        Ask(url + "/a", "GET", false, 0, null);
        Ask(url + "/up", "POST", false, 300000, null);
        Ask(url + "/up", "PUT", true, 300000, null);
        Ask(url + "/locked/", "POST", false, 1000, null);
        Ask(url + "/locked/", "GET", false, 0, ada);
        Ask(url + "/locked/", "POST", false, 5000, ada);
        for (int i = 0; i < 20; i++)
            Ask(url + "/b" + i, "POST", i % 2 == 0, 1 + i * 1000, null);
    }

    static void Main(string[] args)
    {
        if (args[0] == "ask") {
            AskAll(args[1]);
            return;
        }
        var listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:" + args[0] + "/");
        listener.AuthenticationSchemeSelectorDelegate =
            q => q.Url.AbsolutePath == "/basic" ? AuthenticationSchemes.Basic : AuthenticationSchemes.Anonymous;
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
