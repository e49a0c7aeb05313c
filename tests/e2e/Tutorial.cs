// SPDX-License-Identifier: MIT
// Tutorial.cs - the socket programs of a C# course, against which duplex is tested.
//   Tutorial.exe ask HOST PORT TEXT...     sends each text without a line end, prints each reply
//   Tutorial.exe lines HOST PORT TEXT...   a StreamReader and a StreamWriter, a line at a time
//   Tutorial.exe serve                     prints its port; answers one client's lines in upper case
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

class Tutorial
{
    static void Ask(string host, int port, string[] texts)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Parse(host), port);
        var buffer = new byte[1024];
        foreach (string text in texts) {
            socket.Send(Encoding.UTF8.GetBytes(text));
            int n = socket.Receive(buffer);
            Console.WriteLine(Encoding.UTF8.GetString(buffer, 0, n));
        }
        socket.Shutdown(SocketShutdown.Both);
        socket.Close();
    }

    static void Lines(string host, int port, string[] texts)
    {
        using (var client = new TcpClient(host, port))
        using (var stream = client.GetStream())
        using (var reader = new StreamReader(stream, new UTF8Encoding(false)))
        using (var writer = new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\r\n" })
            foreach (string text in texts) {
                writer.WriteLine(text);
                Console.WriteLine(reader.ReadLine());
            }
    }

    static void Serve()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        using (var client = listener.AcceptTcpClient())
        using (var stream = client.GetStream())
        using (var reader = new StreamReader(stream, new UTF8Encoding(false)))
        using (var writer = new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" })
            for (string line; (line = reader.ReadLine()) != null;)
                writer.WriteLine(line.ToUpperInvariant());
    }

    static string[] Rest(string[] args, int from)
    {
        var rest = new string[args.Length - from];
        Array.Copy(args, from, rest, 0, rest.Length);
        return rest;
    }

    static int Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        if (args.Length > 0 && args[0] == "serve")
            Serve();
        else if (args.Length > 3 && args[0] == "ask")
            Ask(args[1], int.Parse(args[2]), Rest(args, 3));
        else if (args.Length > 3 && args[0] == "lines")
            Lines(args[1], int.Parse(args[2]), Rest(args, 3));
        else
            return 2;
        return 0;
    }
}
